# Written by `python -m infra.terraform_module` from infra/templates; a test compares.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_caller_identity" "here" {}

data "aws_region" "here" {}

locals {
  lake_bucket = "${var.name_prefix}-lake-${data.aws_caller_identity.here.account_id}-${data.aws_region.here.name}"
}

resource "aws_cloudformation_stack" "data" {
  name          = "${var.name_prefix}-data"
  template_body = file("${path.module}/../templates/data.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Environment         = "aws"
    NamePrefix          = var.name_prefix
    BackupRetentionDays = var.backup_retention_days
    UploadOrigins       = var.upload_origins
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_cloudformation_stack" "catalog" {
  name          = "${var.name_prefix}-catalog"
  template_body = file("${path.module}/../templates/catalog.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Environment        = "aws"
    NamePrefix         = var.name_prefix
    DatabaseName       = var.database_name
    LakeBucket         = local.lake_bucket
    ProjectedWeeks     = var.projected_weeks
    ProjectedWeeksMore = var.projected_weeks_more
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_cloudformation_stack" "catalog_records" {
  name          = "${var.name_prefix}-catalog-records"
  template_body = file("${path.module}/../templates/catalog-records.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    DatabaseName       = var.database_name
    LakeBucket         = local.lake_bucket
    ProjectedWeeks     = var.projected_weeks
    ProjectedWeeksMore = var.projected_weeks_more
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_cloudformation_stack" "catalog_views" {
  name          = "${var.name_prefix}-catalog-views"
  template_body = file("${path.module}/../templates/catalog-views.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    DatabaseName = var.database_name
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_cloudformation_stack" "mail" {
  name          = "${var.name_prefix}-mail"
  template_body = file("${path.module}/../templates/mail.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    NamePrefix = var.name_prefix
    MailSender = var.mail_sender
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_cloudformation_stack" "planner" {
  name          = "${var.name_prefix}-planner"
  template_body = file("${path.module}/../templates/planner.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Environment      = "aws"
    NamePrefix       = var.name_prefix
    FirstWeek        = var.first_week
    ChangelogShards  = var.changelog_shards
    PlanWeights      = var.plan_weights
    CodeBucket       = aws_cloudformation_stack.data.outputs.CodeBucket
    CodeKey          = var.code_keys["planner"]
    Architecture     = var.architecture
    LakeBucket       = local.lake_bucket
    LogRetentionDays = var.log_retention_days
    Tracing          = var.tracing
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_cloudformation_stack" "api" {
  name          = "${var.name_prefix}-api"
  template_body = file("${path.module}/../templates/api.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Environment         = "aws"
    NamePrefix          = var.name_prefix
    FirstWeek           = var.first_week
    ChangelogShards     = var.changelog_shards
    LeadScope           = var.lead_scope
    ImageThresholds     = var.image_thresholds
    CodeBucket          = aws_cloudformation_stack.data.outputs.CodeBucket
    CodeKey             = var.code_keys["api"]
    Architecture        = var.architecture
    LakeBucket          = local.lake_bucket
    PersonalDataKeyArn  = aws_cloudformation_stack.data.outputs.PersonalDataKeyArn
    SignedInPages       = var.signed_in_pages
    SignedOutPages      = var.signed_out_pages
    OriginSecretVersion = var.origin_secret_version
    LogRetentionDays    = var.log_retention_days
    Mfa                 = var.mfa
    AccountMail         = var.account_mail
    MailSender          = var.mail_sender
    ReportHour          = var.report_hour
    Readiness           = var.readiness
    ReadyCopies         = var.ready_copies
    WarmHours           = var.warm_hours
    TimeZone            = var.time_zone
    Tracing             = var.tracing
    Fingerprint         = sha256(join("|", [file("${path.module}/../templates/api.yaml"), "aws", var.name_prefix, var.first_week, var.changelog_shards, var.lead_scope, var.image_thresholds, aws_cloudformation_stack.data.outputs.CodeBucket, var.code_keys["api"], var.architecture, local.lake_bucket, aws_cloudformation_stack.data.outputs.PersonalDataKeyArn, var.signed_in_pages, var.signed_out_pages, var.origin_secret_version, var.log_retention_days, var.mfa, var.account_mail, var.mail_sender, var.report_hour, var.readiness, var.ready_copies, var.warm_hours, var.time_zone, var.tracing]))
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_cloudformation_stack" "events" {
  name          = "${var.name_prefix}-events"
  template_body = file("${path.module}/../templates/events.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Environment         = "aws"
    NamePrefix          = var.name_prefix
    ApiId               = aws_cloudformation_stack.api.outputs.ApiId
    AuthorizerId        = aws_cloudformation_stack.api.outputs.AuthorizerId
    EventsKeepDays      = var.events_keep_days
    EventServices       = var.event_services
    EventsQueueLimit    = var.events_queue_limit
    FirstWeek           = var.first_week
    OriginSecretName    = aws_cloudformation_stack.api.outputs.OriginSecretName
    CodeBucket          = aws_cloudformation_stack.data.outputs.CodeBucket
    CodeKey             = var.code_keys["events"]
    Architecture        = var.architecture
    LakeBucket          = local.lake_bucket
    OriginSecretVersion = var.origin_secret_version
    LogRetentionDays    = var.log_retention_days
    Tracing             = var.tracing
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_cloudformation_stack" "media" {
  name          = "${var.name_prefix}-media"
  template_body = file("${path.module}/../templates/media.yaml")
  capabilities  = ["CAPABILITY_NAMED_IAM"]

  parameters = {
    Environment         = "aws"
    NamePrefix          = var.name_prefix
    FirstWeek           = var.first_week
    ChangelogShards     = var.changelog_shards
    ApiId               = aws_cloudformation_stack.api.outputs.ApiId
    UploadOrigins       = var.upload_origins
    RekognitionUrl      = var.rekognition_url
    OriginSecretName    = aws_cloudformation_stack.api.outputs.OriginSecretName
    CodeBucket          = aws_cloudformation_stack.data.outputs.CodeBucket
    CodeKey             = var.code_keys["media"]
    Architecture        = var.architecture
    OriginSecretVersion = var.origin_secret_version
    LogRetentionDays    = var.log_retention_days
    Tracing             = var.tracing
  }

  lifecycle {
    prevent_destroy = true
  }
}
