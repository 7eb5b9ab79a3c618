"""What a mail says, and how EventBridge or the formatter makes it. Pure; knows no AWS client."""
