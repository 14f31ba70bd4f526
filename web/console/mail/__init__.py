"""Mail, as operators see it and steer it; the mailer does what they ask."""
