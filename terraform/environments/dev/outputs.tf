output "helm_values" {
  description = "Values for helm/paymesh: terraform output -raw helm_values > values.aws.yaml"
  value       = module.chart_values.yaml
}

output "cluster_name" {
  description = "For aws eks update-kubeconfig --name."
  value       = module.cluster.name
}

output "database_writer" {
  description = "Host on which the services' databases and roles are made once."
  value       = module.database.writer_endpoint
}

output "database_master_secret_arn" {
  description = "Secret with the master's name and password."
  value       = module.database.master_secret_arn
}

output "service_secret_names" {
  description = "Secrets that wait for their content."
  value       = module.database.service_secret_names
}

output "repository_urls" {
  description = "Where images are pushed to."
  value       = module.registry.repository_urls
}

output "role_arns" {
  description = "Roles of the workloads."
  value       = module.workload_identity.role_arns
}

output "signing_key_arns" {
  description = "Keys of the wallets."
  value       = module.signing_keys.key_arns
}

output "nat_addresses" {
  description = "Addresses that the mesh comes from, for allow-lists of chain providers."
  value       = module.network.nat_addresses
}
