# The one place where what Terraform made becomes what the chart reads: values.yaml.tftpl. No provider, so that it
# can be tested anywhere.

locals {
  yaml = templatefile("${path.module}/values.yaml.tftpl", {
    environment         = var.environment
    region              = var.region
    registry_host       = var.registry_host
    database_host       = var.database_host
    database_cidrs      = var.database_cidrs
    endpoint_cidrs      = var.endpoint_cidrs
    secret_store        = var.secret_store
    secret_names        = var.service_secret_names
    identity_mode       = var.identity_mode == "irsa" ? "irsa" : "podIdentity"
    settlement_role     = var.settlement_role_arn
    operator_key        = var.operator_key_arn
    nat_addresses       = var.nat_addresses
    production_defaults = var.production
  })
}
