"""The bridge to stock pySigma backends: rules compiled as any installed backend compiles them, marked unverified."""
