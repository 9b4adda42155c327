"""An interpreter of the SPL that detections are written in: a model of Splunk's documentation, not Splunk.

It covers what `insigma.targets.splunk` and the stock pySigma backend for Splunk write. Each rule cites the page of the
manual that it follows: "SR" is the Search Reference, "SM" the Search Manual, both of Splunk Enterprise 9.4. Where the manual
is silent, one of these holds, and the place says which:

- what the authors of the open mock `mockdr/mockdr` measured on Splunk 10.4.2 and keep as its tests ("measured");
- an assumption that `readings` can turn round, so that a proof can be run under either;
- a fault of the stage "unsupported", where queries might mean one thing or another. A guess is never made in silence.
"""
