output "bucket" {
  description = "For backend.hcl: bucket."
  value       = aws_s3_bucket.state.bucket
}

output "kms_key_id" {
  description = "For backend.hcl: kms_key_id."
  value       = module.key.key_arn
}
