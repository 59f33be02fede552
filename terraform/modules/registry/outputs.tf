output "host" {
  description = "Host of the registry: the chart's global.imageRegistry."
  value       = split("/", values(aws_ecr_repository.this)[0].repository_url)[0]
}

output "repository_urls" {
  description = "Where each image is pushed to."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "repository_arns" {
  description = "The repositories, for the policy of the pipeline that pushes."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.arn }
}
