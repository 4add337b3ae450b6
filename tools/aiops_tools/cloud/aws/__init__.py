"""Amazon's cloud, over boto3."""
