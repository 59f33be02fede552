output "key_arns" {
  description = "The key of each wallet, for settlement's signer."
  value       = { for name, key in aws_kms_key.this : name => key.arn }
}

output "aliases" {
  description = "Alias of each wallet's key."
  value       = { for name, alias in aws_kms_alias.this : name => alias.name }
}
