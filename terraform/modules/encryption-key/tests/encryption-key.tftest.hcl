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
}

variables {
  alias        = "paymesh-test/thing"
  description  = "Things"
  via_services = ["rds", "secretsmanager"]
}

run "used_through_services_alone" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key rotates."
  }

  assert {
    condition     = length(data.aws_iam_policy_document.key.statement) == 2
    error_message = "Administration, and use through services; no role and no log group was named."
  }
}
