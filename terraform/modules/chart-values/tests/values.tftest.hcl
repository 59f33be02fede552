# Runs anywhere: this module needs no provider.

variables {
  environment         = "production"
  region              = "eu-central-1"
  production          = true
  registry_host       = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
  database_host       = "paymesh-prod.cluster-abc.eu-central-1.rds.amazonaws.com"
  database_cidrs      = ["10.20.64.0/24", "10.20.65.0/24", "10.20.66.0/24"]
  endpoint_cidrs      = ["10.20.80.0/24", "10.20.81.0/24", "10.20.82.0/24"]
  nat_addresses       = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
  identity_mode       = "pod_identity"
  settlement_role_arn = "arn:aws:iam::123456789012:role/paymesh-prod-settlement"
  operator_key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000001"
  service_secret_names = {
    checkout   = "paymesh-prod/checkout"
    routing    = "paymesh-prod/routing"
    watcher    = "paymesh-prod/watcher"
    settlement = "paymesh-prod/settlement"
  }
}

run "production_with_pod_identity" {
  command = apply

  assert {
    condition     = yamldecode(output.yaml).services.settlement.aws.identity == { mode = "podIdentity" }
    error_message = "Settlement takes its role from the agent."
  }

  assert {
    condition = alltrue([
      for name in ["checkout", "routing", "watcher"] : !can(yamldecode(output.yaml).services[name].aws)
    ])
    error_message = "Nobody but settlement has a role."
  }

  assert {
    condition     = yamldecode(output.yaml).services.settlement.config.signer.kms.key_id == var.operator_key_arn
    error_message = "Settlement signs with the operator's key."
  }

  assert {
    condition     = yamldecode(output.yaml).networkPolicy.awsEndpointCidrs == [for cidr in var.endpoint_cidrs : cidr]
    error_message = "Only the endpoints' subnets are opened."
  }

  assert {
    condition = strcontains(
      yamldecode(output.yaml).services.watcher.externalSecret.template.data["pg_service.conf"],
      "\nhost=paymesh-prod.cluster-abc.eu-central-1.rds.amazonaws.com\ndbname={{ .dbname }}\n",
    )
    error_message = "The connection is put together from the secret's parts."
  }

  assert {
    condition     = yamldecode(output.yaml).reflection.enabled == false
    error_message = "Production has no reflection."
  }
}

run "web_identity" {
  command = apply

  variables {
    identity_mode = "irsa"
    production    = false
  }

  assert {
    condition     = yamldecode(output.yaml).services.settlement.aws.identity == { mode = "irsa", roleArn = var.settlement_role_arn }
    error_message = "The role stands in the values."
  }

  assert {
    condition     = !can(yamldecode(output.yaml).reflection)
    error_message = "Development keeps reflection."
  }
}

run "a_service_without_a_secret_is_refused" {
  command = plan

  variables {
    service_secret_names = { checkout = "paymesh-prod/checkout" }
  }

  expect_failures = [var.service_secret_names]
}
