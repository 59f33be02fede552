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
  name               = "paymesh-test"
  cidr               = "10.20.0.0/16"
  availability_zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
}

run "a_gateway_in_each_zone" {
  command = plan

  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "A zone that fails takes only its own way out with it."
  }

  assert {
    condition     = toset(output.database_cidrs) == toset(["10.20.64.0/24", "10.20.65.0/24", "10.20.66.0/24"])
    error_message = "Databases have ranges of their own."
  }

  assert {
    condition     = toset(output.endpoint_cidrs) == toset(["10.20.80.0/24", "10.20.81.0/24", "10.20.82.0/24"])
    error_message = "Endpoints have ranges of their own."
  }

  assert {
    condition     = aws_subnet.private["eu-central-1c"].cidr_block == "10.20.32.0/20"
    error_message = "Pods' ranges end before the others begin."
  }
}

run "one_gateway_for_development" {
  command = plan

  variables {
    single_nat_gateway = true
  }

  assert {
    condition     = toset(keys(aws_nat_gateway.this)) == toset(["eu-central-1a"])
    error_message = "The first zone's gateway serves all."
  }
}

run "two_zones_are_refused" {
  command = plan

  variables {
    availability_zones = ["eu-central-1a", "eu-central-1b"]
  }

  expect_failures = [var.availability_zones]
}

run "a_small_range_is_refused" {
  command = plan

  variables {
    cidr = "10.20.0.0/20"
  }

  expect_failures = [var.cidr]
}
