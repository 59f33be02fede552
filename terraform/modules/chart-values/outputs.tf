output "yaml" {
  description = "A values file for helm/paymesh."
  value       = local.yaml
}
