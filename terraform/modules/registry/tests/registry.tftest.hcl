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
  name = "paymesh-test"
}

run "immutable_scanned_and_named_as_the_chart_expects" {
  command = plan

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE"])
    error_message = "A tag means one image for ever."
  }

  assert {
    condition     = aws_ecr_repository.this["checkout"].name == "paymesh/checkout"
    error_message = "The chart looks for paymesh/<service>."
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this["checkout"].policy).rules[1].selection.countNumber == 30
    error_message = "Thirty images stay."
  }
}

run "too_few_images_are_refused" {
  command = plan

  variables {
    kept_images = 3
  }

  expect_failures = [var.kept_images]
}
