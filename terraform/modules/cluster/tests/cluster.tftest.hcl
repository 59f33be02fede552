# Needs the aws provider's plugin (mocked, no account). Not part of the repository's own test command.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000001" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/paymesh-test" }
  }
}

variables {
  name                 = "paymesh-test"
  kubernetes_version   = "1.34"
  subnet_ids           = ["subnet-1", "subnet-2", "subnet-3"]
  admin_principal_arns = ["arn:aws:iam::123456789012:role/platform-engineer"]
  addon_versions = {
    vpc-cni                = "v1.20.4-eksbuild.1"
    eks-pod-identity-agent = "v1.3.9-eksbuild.3"
    kube-proxy             = "v1.34.0-eksbuild.4"
    coredns                = "v1.12.4-eksbuild.1"
    metrics-server         = "v0.8.0-eksbuild.2"
  }
}

run "closed_by_default" {
  command = plan

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access == false
    error_message = "The API server is private unless networks are named."
  }

  assert {
    condition     = aws_eks_cluster.this.deletion_protection
    error_message = "The cluster is protected."
  }

  assert {
    condition     = jsondecode(aws_eks_addon.vpc_cni.configuration_values).enableNetworkPolicy == "true"
    error_message = "Network policies are enforced."
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.this) == 0
    error_message = "Pod Identity needs no OIDC provider."
  }
}

run "opened_to_named_networks" {
  command = plan

  variables {
    public_access_cidrs = ["192.0.2.0/24"]
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "Named networks reach the API server."
  }
}

run "the_whole_internet_is_refused" {
  command = plan

  variables {
    public_access_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.public_access_cidrs]
}

run "an_add_on_without_a_version_is_refused" {
  command = plan

  variables {
    addon_versions = { vpc-cni = "v1.20.4-eksbuild.1" }
  }

  expect_failures = [var.addon_versions]
}

run "nobody_to_administer_is_refused" {
  command = plan

  variables {
    admin_principal_arns = []
  }

  expect_failures = [var.admin_principal_arns]
}
