output "writer_endpoint" {
  description = "Host of the writer: what every service connects to."
  value       = aws_rds_cluster.this.endpoint
}

output "reader_endpoint" {
  description = "Host of the readers, for reports."
  value       = aws_rds_cluster.this.reader_endpoint
}

output "port" {
  description = "PostgreSQL's port."
  value       = aws_rds_cluster.this.port
}

output "master_secret_arn" {
  description = "Secret with the master's password, which AWS rotates."
  value       = aws_rds_cluster.this.master_user_secret[0].secret_arn
}

output "service_secret_names" {
  description = "Name of each service's secret."
  value       = { for name, secret in aws_secretsmanager_secret.service : name => secret.name }
}

output "service_secret_arns" {
  description = "Each service's secret, for the policy of whoever reads it."
  value       = { for name, secret in aws_secretsmanager_secret.service : name => secret.arn }
}

output "key_arn" {
  description = "Key of the database and its secrets."
  value       = module.key.key_arn
}
