variable "name" {
  description = "Name of the environment's objects, e.g. paymesh-prod."
  type        = string
}

variable "cidr" {
  description = "Address range of the VPC, a /16 that overlaps no network it will ever be joined with."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "The range must be a /16, e.g. 10.20.0.0/16."
  }
}

variable "availability_zones" {
  description = "Three zones of the region. Named, not looked up, so that a new zone of AWS moves no subnet."
  type        = list(string)

  validation {
    condition     = length(distinct(var.availability_zones)) == 3
    error_message = "Exactly three different zones are needed."
  }
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones: cheaper, and the end of every way out when its zone fails. Not for production."
  type        = bool
  default     = false
}

variable "interface_endpoints" {
  description = "AWS services that get an interface endpoint, beside KMS and S3 which always have one."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "eks-auth", "logs", "secretsmanager", "sts"]
}

variable "flow_log_retention_days" {
  description = "Days for which flow logs are kept."
  type        = number
  default     = 365
}
