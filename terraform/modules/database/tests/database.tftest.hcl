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
  name                      = "paymesh-test"
  vpc_id                    = "vpc-1"
  subnet_ids                = ["subnet-1", "subnet-2", "subnet-3"]
  availability_zones        = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  client_security_group_ids = { cluster = "sg-1" }
  instance_class            = "db.r7g.large"
}

run "production_by_default" {
  command = plan

  assert {
    condition     = length(aws_rds_cluster_instance.this) == 3
    error_message = "A writer and two readers."
  }

  assert {
    condition     = length(toset([for instance in aws_rds_cluster_instance.this : instance.availability_zone])) == 3
    error_message = "Each in a zone of its own."
  }

  assert {
    condition     = aws_rds_cluster.this.backup_retention_period == 35 && aws_rds_cluster.this.deletion_protection
    error_message = "35 days of backups, and protection."
  }

  assert {
    condition     = aws_rds_cluster_parameter_group.this.family == "aurora-postgresql16"
    error_message = "The parameters' family follows the engine."
  }

  assert {
    condition = contains([
      for parameter in aws_rds_cluster_parameter_group.this.parameter : "${parameter.name}=${parameter.value}"
    ], "rds.force_ssl=1")
    error_message = "TLS is forced."
  }

  assert {
    condition     = toset(keys(aws_secretsmanager_secret.service)) == toset(["checkout", "routing", "settlement", "watcher"])
    error_message = "A secret a service."
  }
}

run "an_old_engine_is_refused" {
  command = plan

  variables {
    engine_version = "14.17"
  }

  expect_failures = [var.engine_version]
}

run "a_fourth_reader_shares_a_zone" {
  command = plan

  variables {
    reader_count = 3
  }

  assert {
    condition     = aws_rds_cluster_instance.this["3"].availability_zone == "eu-central-1a"
    error_message = "Zones are taken in turn."
  }
}

run "two_zones_are_refused" {
  command = plan

  variables {
    availability_zones = ["eu-central-1a", "eu-central-1b", "eu-central-1b"]
  }

  expect_failures = [var.availability_zones]
}

run "a_day_of_backups_is_refused" {
  command = plan

  variables {
    backup_retention_days = 1
  }

  expect_failures = [var.backup_retention_days]
}
