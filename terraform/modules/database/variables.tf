variable "name" {
  description = "Name of the environment's objects; the cluster's identifier and the prefix of its secrets."
  type        = string
}

variable "vpc_id" {
  description = "The VPC of the database."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets without a route out, in three zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 3
    error_message = "Aurora keeps its copies in three zones; give a subnet in each."
  }
}

variable "availability_zones" {
  description = "The zones of those subnets. Instances take them in turn, so that a reader is never where the writer is."
  type        = list(string)

  validation {
    condition     = length(distinct(var.availability_zones)) >= 3
    error_message = "Name three different zones, those of the subnets."
  }
}

variable "client_security_group_ids" {
  description = "Groups that may connect, by a name that says who they are."
  type        = map(string)
}

variable "services" {
  description = "Services that get a secret for their connection."
  type        = set(string)
  default     = ["checkout", "routing", "watcher", "settlement"]
}

variable "engine_version" {
  description = "Aurora PostgreSQL's version."
  type        = string
  default     = "16.8"

  validation {
    condition     = tonumber(split(".", var.engine_version)[0]) >= 15
    error_message = "Paymesh is tested on PostgreSQL 15 and newer."
  }
}

variable "instance_class" {
  description = "Instance class of writer and readers alike: a reader must be able to take over."
  type        = string
}

variable "reader_count" {
  description = "Readers beside the writer. Two in production: one of them takes over within a minute, and one remains."
  type        = number
  default     = 2

  validation {
    condition     = var.reader_count >= 0 && var.reader_count <= 14
    error_message = "Between 0 and 14 readers."
  }
}

variable "backup_retention_days" {
  description = "Days to any second of which the cluster can be restored."
  type        = number
  default     = 35

  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 35
    error_message = "Between 7 and 35 days."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the cluster."
  type        = bool
  default     = true
}

variable "final_snapshot_suffix" {
  description = "End of the final snapshot's name. Change it before a second destruction: names of snapshots are unique."
  type        = string
  default     = "1"
}

variable "slow_statement_ms" {
  description = "Statements that take longer are logged, in milliseconds."
  type        = number
  default     = 250
}

variable "log_retention_days" {
  description = "Days for which PostgreSQL's logs are kept."
  type        = number
  default     = 365
}
