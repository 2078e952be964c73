"""The mapping that is used without a mapping file, and that every mapping file extends.

Belongs here: names of sheets and columns that people use, the formats they write in, sheets that hold no rows.
Does not belong here: titles that follow from the fields by themselves (columns.py), and reading TOML (mapping.py).
A constant, because prism_core opens no file. DD/MM and MM/DD stay undeclared: nobody can tell them apart.
"""

from typing import Final

DEFAULT_MAPPING: Final = """
ignore = ["Notes*", "Read me*", "Instructions*", "Legend*", "Help*", "Change history*", "Lookups*"]

[formats]
dates = ["YYYY-MM-DD", "YYYY/MM/DD", "DD.MM.YYYY", "DD Mon YYYY", "DD-Mon-YYYY", "Mon DD, YYYY", "YYYYMMDD"]
clear = "(clear)"
time_zone = "UTC"
true = ["yes", "y", "true", "x", "1"]
false = ["no", "n", "false", "0", "-"]

[tables.members]
sheets = ["Members*", "Team", "Team members", "People", "Roster", "Staff", "Annotators"]
[tables.members.columns]
member_id = ["Member", "ID", "Staff ID", "Employee ID", "Annotator ID"]
name = ["Full name", "Member name"]
email = ["E-mail", "Mail", "E-mail address"]
time_zone = ["Timezone", "Zone", "TZ"]
skills = ["Skill", "Skills (level)"]
location = ["Country", "Country code"]
"hours.mon" = ["Monday"]
"hours.tue" = ["Tuesday", "Tues"]
"hours.wed" = ["Wednesday"]
"hours.thu" = ["Thursday", "Thur", "Thurs"]
"hours.fri" = ["Friday"]
"hours.sat" = ["Saturday"]
"hours.sun" = ["Sunday"]

[tables.projects]
sheets = ["Projects*", "Project list", "Programme"]
[tables.projects.columns]
project_id = ["Project", "ID", "Project code"]
name = ["Project name", "Title"]
category = ["Category ID", "Raw category"]
priority = ["Prio"]
demand_hours = ["Demand", "Hours a week", "Hours per week", "Weekly hours"]
quality_target = ["Target quality", "Quality goal"]
sla_date = ["SLA", "Deadline", "Due date"]
min_people = ["Min"]
max_people = ["Max"]
min_block_hours = ["Min block"]
labeling_jobs = ["Labelling jobs", "Jobs"]

[tables.allocations]
sheets = ["Allocations*", "Allocation*", "Week plan*", "Schedule*"]
[tables.allocations.columns]
member_id = ["Member", "Annotator", "Staff ID", "Person"]
project_id = ["Project", "Project code"]
week = ["ISO week", "Calendar week", "CW", "KW", "Week starting", "Week of"]
"hours.mon" = ["Monday"]
"hours.tue" = ["Tuesday", "Tues"]
"hours.wed" = ["Wednesday"]
"hours.thu" = ["Thursday", "Thur", "Thurs"]
"hours.fri" = ["Friday"]
"hours.sat" = ["Saturday"]
"hours.sun" = ["Sunday"]
"hours.date" = ["Day"]
"hours.value" = ["Hrs", "Allocated hours"]
pinned = ["Pin", "Fixed"]

[tables.requests]
sheets = ["Requests*", "Capacity requests*", "Intake*"]
[tables.requests.columns]
request_id = ["Request", "ID", "Ticket"]
due_date = ["Due", "Needed by", "Deadline"]
hours = ["Requested hours", "Hrs"]
project_id = ["Project", "Project code"]
requester = ["Requested by", "From"]
reason = ["Why", "Description", "Justification"]
created = ["Created", "Requested on", "Date requested"]
skills = ["Skill"]
[tables.requests.defaults]
created = "@now"

[tables.availability]
sheets = ["Availability*", "Time off*", "OOTO*", "Out of office*", "Absences*", "Vacation*"]
[tables.availability.columns]
member_id = ["Member", "Annotator", "Staff ID", "Person"]
date = ["Day", "Day off"]
hours_off = ["Hours", "Off"]
code = ["Type", "Kind", "Reason code"]
reason = ["Comment", "Note", "Details"]
[tables.availability.values.code]
vacation = ["PTO", "Annual leave", "Leave", "Holidays"]
sick = ["Sick leave", "Illness"]
holiday = ["Public holiday", "Bank holiday"]
[tables.availability.defaults]
created = "@now"

[tables.quality]
sheets = ["Quality*", "Quality reviews*", "Reviews*", "QA*"]
[tables.quality.columns]
member_id = ["Member", "Annotator", "Staff ID", "Person"]
project_id = ["Project", "Project code"]
week = ["ISO week", "Calendar week", "CW", "KW", "Week starting", "Week of"]
review_id = ["Review", "ID"]
category = ["Category ID", "Raw category"]
reviewed = ["Items reviewed", "Sampled", "Sample size"]
correct = ["Items correct", "Passed"]
severity = ["Worst error"]
reviewer = ["Reviewed by", "QA by"]
reviewed_at = ["Reviewed at", "Reviewed on", "Review date"]
notes = ["Note", "Comment", "Comments"]

[tables.bugs]
sheets = ["Bugs*", "Bug tracker*", "Defects*"]
[tables.bugs.columns]
bug_id = ["Bug", "ID"]
reporter = ["Reported by"]
assignee = ["Assigned to", "Owner"]
created = ["Created", "Reported on"]
resolved = ["Resolved", "Resolved on"]
[tables.bugs.defaults]
created = "@now"
"""
