variable "account_id" {
  description = "The AWS account, also the end of the bucket's name."
  type        = string
}

variable "region" {
  description = "Region of the bucket."
  type        = string
}
