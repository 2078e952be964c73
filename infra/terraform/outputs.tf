# Written by `python -m infra.terraform_module` from infra/templates; a test compares.

output "data" {
  description = "Outputs of the stack data."
  value       = aws_cloudformation_stack.data.outputs
}

output "mail" {
  description = "Outputs of the stack mail."
  value       = aws_cloudformation_stack.mail.outputs
}

output "api" {
  description = "Outputs of the stack api."
  value       = aws_cloudformation_stack.api.outputs
}

output "events" {
  description = "Outputs of the stack events."
  value       = aws_cloudformation_stack.events.outputs
}
