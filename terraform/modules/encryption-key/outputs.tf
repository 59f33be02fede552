output "key_arn" {
  description = "The key, for whatever encrypts with it."
  value       = aws_kms_key.this.arn
}
