# Written by `python -m infra.terraform_module` from infra/templates; a test compares.

variable "code_keys" {
  description = "Keys of the uploaded code, by stack; prism package builds the zips."
  type        = map(string)
}

variable "name_prefix" {
  description = "First part of every resource name."
  type        = string
  default     = "prism"
}

variable "account_mail" {
  description = "Who mails invitations and codes on AWS; Cognito's own sender takes 50 a day, MailSender must be verified."
  type        = string
  default     = "cognito"
}

variable "architecture" {
  description = "What the code was built for."
  type        = string
  default     = "arm64"
}

variable "backup_retention_days" {
  description = "How long a backup is kept."
  type        = string
  default     = "35"
}

variable "changelog_shards" {
  description = "Partitions of the change log for a table and week; everybody who writes agrees on it."
  type        = string
  default     = "4"
}

variable "database_name" {
  description = "The Glue database; Glue takes no hyphens."
  type        = string
  default     = "prism_lake"
}

variable "event_services" {
  description = "Services outside that may be asked to enrich events, as JSON."
  type        = string
  default     = "{}"
}

variable "events_keep_days" {
  description = "How long events and receipts stay in their tables."
  type        = string
  default     = "35"
}

variable "events_queue_limit" {
  description = "With so many events in the queue producers are asked to wait."
  type        = string
  default     = "10000"
}

variable "first_week" {
  description = "The first week of the platform."
  type        = string
}

variable "image_thresholds" {
  description = "The percent at which images are held back, by category, as a JSON object."
  type        = string
  default     = "{}"
}

variable "lead_scope" {
  description = "Whose rows a lead sees."
  type        = string
  default     = "all"
}

variable "log_retention_days" {
  description = "How long the logs are kept."
  type        = string
  default     = "30"
}

variable "mail_sender" {
  description = "Whom mail of PRISM is from; empty where no mail is sent."
  type        = string
  default     = ""
}

variable "mfa" {
  description = "On AWS, whether a second factor is not taken, taken from who has set one up, or asked of everybody."
  type        = string
  default     = "OPTIONAL"
}

variable "origin_secret_version" {
  description = "Which version of the origin's secret counts; empty is the current one when a resource was last changed."
  type        = string
  default     = ""
}

variable "plan_weights" {
  description = "What an hour is worth to a plan, as a JSON object; weights that it does not name are the defaults."
  type        = string
  default     = "{}"
}

variable "projected_weeks" {
  description = "ISO weeks that may have a partition, by comma; set by the deploy command once a year."
  type        = string
}

variable "projected_weeks_more" {
  description = "More of them, because a parameter holds 4,096 characters."
  type        = string
  default     = ""
}

variable "readiness" {
  description = "What is done against cold starts of the API; docs/deploy.md has the effect and the price of each."
  type        = string
  default     = "cold"
}

variable "ready_copies" {
  description = "With Readiness provisioned, how many copies of the function stand ready day and night."
  type        = string
  default     = "2"
}

variable "rekognition_url" {
  description = "A stand-in of Rekognition; empty is that of the region."
  type        = string
  default     = ""
}

variable "report_hour" {
  description = "When reports are due on Mondays, by the clock of each recipient."
  type        = string
  default     = "07:00"
}

variable "signed_in_pages" {
  description = "Where a sign-in of the screens may come back to."
  type        = string
}

variable "signed_out_pages" {
  description = "Where a sign-out may lead to."
  type        = string
}

variable "time_zone" {
  description = "Whose hours those are."
  type        = string
  default     = "UTC"
}

variable "tracing" {
  description = "Active sends traces to X-Ray."
  type        = string
  default     = "PassThrough"
}

variable "upload_origins" {
  description = "Where the screens are served, which upload large workbooks straight to the lake."
  type        = string
}

variable "warm_hours" {
  description = "With Readiness warmer, from which hour to which on working days; the last one is called in, too."
  type        = string
  default     = "7-18"
}
