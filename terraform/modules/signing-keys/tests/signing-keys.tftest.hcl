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
}

variables {
  name                    = "paymesh-test"
  signer_role_arn         = "arn:aws:iam::123456789012:role/paymesh-test-settlement"
  administrator_role_arns = ["arn:aws:iam::123456789012:role/platform-engineer"]
  alarm_topic_arn         = "arn:aws:sns:eu-central-1:123456789012:security-alarms"
}

run "the_operators_wallet" {
  command = plan

  assert {
    condition     = aws_kms_key.this["operator"].customer_master_key_spec == "ECC_SECG_P256K1"
    error_message = "EVM chains sign with secp256k1."
  }

  assert {
    condition     = aws_kms_alias.this["operator"].name == "alias/paymesh-test/signing/operator"
    error_message = "The alias tells environment and wallet."
  }

  assert {
    condition = one([
      for statement in data.aws_iam_policy_document.key.statement : statement.principals
      if statement.effect == "Allow" && contains(statement.actions, "kms:Sign")
    ]) == toset([{ type = "AWS", identifiers = toset([var.signer_role_arn]) }])
    error_message = "Settlement's role signs, and no other."
  }
}

run "everybody_as_administrator_is_refused" {
  command = plan

  variables {
    administrator_role_arns = ["*"]
  }

  expect_failures = [var.administrator_role_arns]
}
