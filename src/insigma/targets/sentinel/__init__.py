"""Microsoft Sentinel: bound rules as KQL."""
