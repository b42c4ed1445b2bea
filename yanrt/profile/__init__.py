"""`yanrt profile`: where the time of a step goes, op by op, beside what the processor could do (docs/profiling.md)."""

from yanrt.profile.record import OpProfile, PhaseProfile, Profile, profile

__all__ = ["OpProfile", "PhaseProfile", "Profile", "profile"]
