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

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/paymesh-test" }
  }
}

variables {
  name         = "paymesh-test"
  cluster_name = "paymesh-test"
  workloads = {
    settlement = { namespace = "pay", service_account = "paymesh-settlement" }
    reader = {
      namespace       = "tools"
      service_account = "reader"
      statements = [{
        sid       = "Read"
        actions   = ["secretsmanager:GetSecretValue"]
        resources = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:paymesh-test/checkout-abcdef"]
      }]
    }
  }
}

run "pod_identity" {
  command = plan

  assert {
    condition     = aws_eks_pod_identity_association.this["settlement"].service_account == "paymesh-settlement"
    error_message = "The association names the service account."
  }

  assert {
    condition     = toset(keys(aws_iam_role_policy.this)) == toset(["reader"])
    error_message = "A workload without statements has no policy."
  }
}

run "web_identity" {
  command = plan

  variables {
    mode              = "irsa"
    oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com"
    oidc_issuer       = "oidc.example.com"
  }

  assert {
    condition     = length(aws_eks_pod_identity_association.this) == 0
    error_message = "Web identity needs no association."
  }
}

run "web_identity_without_a_provider_is_refused" {
  command = plan

  variables {
    mode = "irsa"
  }

  expect_failures = [var.oidc_provider_arn]
}

run "a_wildcard_is_refused" {
  command = plan

  variables {
    workloads = {
      careless = {
        namespace       = "pay"
        service_account = "careless"
        statements      = [{ sid = "All", actions = ["s3:*"], resources = ["arn:aws:s3:::bucket"] }]
      }
    }
  }

  expect_failures = [var.workloads]
}
