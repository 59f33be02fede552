output "role_arns" {
  description = "Role of each workload: for the chart where mode is irsa, for policies of keys in either mode."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}
