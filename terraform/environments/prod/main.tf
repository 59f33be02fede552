# Production: no public endpoint, a gateway in each zone, a writer and two readers, nothing that can be deleted by
# mistake. The chart is installed afterwards with `terraform output -raw helm_values`.

locals {
  name      = "paymesh-prod"
  namespace = "pay"
}

module "network" {
  source = "../../modules/network"

  name               = local.name
  cidr               = var.cidr
  availability_zones = var.availability_zones
  single_nat_gateway = false
}

module "cluster" {
  source = "../../modules/cluster"

  name                 = local.name
  kubernetes_version   = var.kubernetes_version
  subnet_ids           = module.network.private_subnet_ids
  public_access_cidrs  = []
  api_client_cidrs     = var.api_client_cidrs
  admin_principal_arns = var.cluster_admin_arns
  addon_versions       = var.addon_versions
  node_instance_types  = ["m7i.xlarge"]
  node_count           = { min = 3, max = 12 }
  deletion_protection  = true
  enable_irsa          = var.identity_mode == "irsa"
}

module "database" {
  source = "../../modules/database"

  name                      = local.name
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.database_subnet_ids
  availability_zones        = var.availability_zones
  client_security_group_ids = { cluster = module.cluster.security_group_id }
  instance_class            = "db.r7g.2xlarge"
  reader_count              = 2
  backup_retention_days     = 35
  deletion_protection       = true
}

module "registry" {
  source = "../../modules/registry"

  name = local.name
}

module "workload_identity" {
  source = "../../modules/workload-identity"

  name              = local.name
  cluster_name      = module.cluster.name
  mode              = var.identity_mode
  oidc_provider_arn = module.cluster.oidc_provider_arn
  oidc_issuer       = module.cluster.oidc_issuer

  workloads = {
    # Its right to sign comes from the signing key's own policy. The other services need nothing from AWS.
    settlement = {
      namespace       = local.namespace
      service_account = var.settlement_service_account
    }

    external-secrets = {
      namespace       = "external-secrets"
      service_account = "external-secrets"
      statements = [
        {
          sid       = "ReadTheServicesSecrets"
          actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
          resources = values(module.database.service_secret_arns)
        },
        {
          sid       = "DecryptThemThere"
          actions   = ["kms:Decrypt"]
          resources = [module.database.key_arn]
          conditions = [{
            test     = "StringEquals"
            variable = "kms:ViaService"
            values   = ["secretsmanager.${var.region}.amazonaws.com"]
          }]
        },
      ]
    }
  }
}

module "signing_keys" {
  source = "../../modules/signing-keys"

  name                    = local.name
  signer_role_arn         = module.workload_identity.role_arns["settlement"]
  administrator_role_arns = var.key_administrator_arns
  alarm_topic_arn         = var.alarm_topic_arn
}

module "chart_values" {
  source = "../../modules/chart-values"

  environment          = "production"
  region               = var.region
  production           = true
  registry_host        = module.registry.host
  database_host        = module.database.writer_endpoint
  database_cidrs       = module.network.database_cidrs
  endpoint_cidrs       = module.network.endpoint_cidrs
  nat_addresses        = module.network.nat_addresses
  service_secret_names = module.database.service_secret_names
  identity_mode        = var.identity_mode
  settlement_role_arn  = module.workload_identity.role_arns["settlement"]
  operator_key_arn     = module.signing_keys.key_arns["operator"]
}
