# Aurora PostgreSQL for the four services: a writer and readers in different zones, encrypted with a key of its
# own, reachable over TLS by the cluster's pods and by nothing else.

data "aws_partition" "current" {}

locals {
  # The writer is the instance of the lowest promotion tier; Aurora promotes the next one when it fails.
  instances = { for index in range(1 + var.reader_count) : tostring(index) => index }
}

module "key" {
  source = "../encryption-key"

  alias        = "${var.name}/database"
  description  = "Database, its backups and its secrets of ${var.name}"
  via_services = ["rds", "secretsmanager"]
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Subnets without a route out"
  subnet_ids  = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "PostgreSQL from the cluster's pods, and nothing out"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-database" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_rds_cluster_parameter_group" "this" {
  name_prefix = "${var.name}-"
  description = "TLS forced, slow statements logged"
  family      = "aurora-postgresql${split(".", var.engine_version)[0]}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "ssl_min_protocol_version"
    value = "TLSv1.2"
  }

  # The journals are the way out of the database.
  parameter {
    name         = "rds.logical_replication"
    value        = "0"
    apply_method = "pending-reboot"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = tostring(var.slow_statement_ms)
  }

  # Statements carry no parameters into the log: they hold merchants' data.
  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }

  parameter {
    name  = "log_connections"
    value = "1"
  }

  parameter {
    name  = "log_lock_waits"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_rds_cluster" "this" {
  cluster_identifier              = var.name
  engine                          = "aurora-postgresql"
  engine_version                  = var.engine_version
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this.name
  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.this.id]
  port                            = 5432

  # The master makes the services' databases and roles, once. Its password is made, kept and rotated by AWS.
  master_username               = "paymesh_master"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = module.key.key_arn

  storage_encrypted = true
  kms_key_id        = module.key.key_arn

  backup_retention_period      = var.backup_retention_days
  preferred_backup_window      = "01:00-02:00"
  preferred_maintenance_window = "sun:03:00-sun:04:00"
  copy_tags_to_snapshot        = true
  delete_automated_backups     = false
  skip_final_snapshot          = false
  final_snapshot_identifier    = "${var.name}-final-${var.final_snapshot_suffix}"
  deletion_protection          = var.deletion_protection
  apply_immediately            = false
  allow_major_version_upgrade  = false

  enabled_cloudwatch_logs_exports = ["postgresql"]

  depends_on = [aws_cloudwatch_log_group.postgresql]
}

# Made before the cluster, which would otherwise make one that is never emptied.
resource "aws_cloudwatch_log_group" "postgresql" {
  name              = "/aws/rds/cluster/${var.name}/postgresql"
  retention_in_days = var.log_retention_days
  kms_key_id        = module.log_key.key_arn
}

module "log_key" {
  source = "../encryption-key"

  alias           = "${var.name}/database-logs"
  description     = "PostgreSQL's logs of ${var.name}"
  log_group_names = ["/aws/rds/cluster/${var.name}/postgresql"]
}

data "aws_iam_policy_document" "monitoring_trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "monitoring" {
  name_prefix        = "${var.name}-rds-monitor-"
  assume_role_policy = data.aws_iam_policy_document.monitoring_trust.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_rds_cluster_instance" "this" {
  for_each = local.instances

  identifier                      = "${var.name}-${each.key}"
  cluster_identifier              = aws_rds_cluster.this.id
  engine                          = aws_rds_cluster.this.engine
  engine_version                  = aws_rds_cluster.this.engine_version
  instance_class                  = var.instance_class
  promotion_tier                  = each.value
  availability_zone               = var.availability_zones[each.value % length(var.availability_zones)]
  publicly_accessible             = false
  auto_minor_version_upgrade      = false # or the running version and engine_version part, and the next apply fails
  ca_cert_identifier              = "rds-ca-rsa2048-g1"
  copy_tags_to_snapshot           = true
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  performance_insights_enabled    = true
  performance_insights_kms_key_id = module.key.key_arn
}

# One secret a service, empty here: its content is put by a person, so that no password is ever in a state file.
resource "aws_secretsmanager_secret" "service" {
  for_each = var.services

  name                    = "${var.name}/${each.value}"
  description             = "Database connection and page-token key of ${each.value}: dbname, username, password, pageTokenKey"
  kms_key_id              = module.key.key_arn
  recovery_window_in_days = 30
}
