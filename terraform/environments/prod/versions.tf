terraform {
  required_version = ">= 1.11, < 2.0"

  # The rest, which differs by account, is in backend.hcl (see backend.hcl.example).
  backend "s3" {
    key          = "paymesh/prod/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      application = "paymesh"
      environment = "prod"
      managed_by  = "terraform"
    }
  }
}
