"""Models that run here, through transformers: classifiers, DPO policies, generative judges."""
