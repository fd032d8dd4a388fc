//! What the process says when it ends.

use crate::domain::{finding::FindingId, switch::event::Outcome};

/// Exit codes. Part of the interface: they never change their meaning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// Done, or already as wanted.
    Done = 0,
    /// `doctor` or a check found something that blocks.
    Blocked = 1,
    /// Usage or configuration.
    Usage = 2,
    /// Refused: conflict, policy, lock, or a confirmation is missing.
    Refused = 3,
    /// The host can't be reached, or isn't one.
    Unreachable = 4,
    /// The host doesn't permit it.
    NotPermitted = 5,
    /// Failed, and rolled back.
    RolledBack = 6,
    /// Failed, and not rolled back.
    NotRolledBack = 7,
    /// The operation that was followed was cancelled by somebody.
    Cancelled = 8,
    /// Ctrl-C while following, or nobody reads the output any more; the operation goes on.
    Detached = 130,
}

impl Exit {
    /// Every code, for the documentation.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::Blocked,
        Self::Usage,
        Self::Refused,
        Self::Unreachable,
        Self::NotPermitted,
        Self::RolledBack,
        Self::NotRolledBack,
        Self::Cancelled,
        Self::Detached,
    ];

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, for the documentation.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or already as wanted",
            Self::Blocked => "`doctor` or a check found something that doesn't work as it is",
            Self::Usage => "wrong usage, configuration or state directory; nothing was changed",
            Self::Refused => "refused: a conflict, a policy, a lock, or a confirmation is missing; nothing was changed",
            Self::Unreachable => "the host can't be reached, or doesn't answer as Proxmox VE does",
            Self::NotPermitted => "the host doesn't accept the credentials or lacks a privilege for them",
            Self::RolledBack => "failed, and what had been changed was undone",
            Self::NotRolledBack => "failed, and something is not as it was before",
            Self::Cancelled => "the operation that was followed was cancelled (`op cancel` itself ends with 0)",
            Self::Detached => "detached while following (Ctrl-C, or the output was closed); the operation goes on",
        }
    }
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Refused => Self::Refused,
            Outcome::RolledBack => Self::RolledBack,
            Outcome::NotRolledBack => Self::NotRolledBack,
            Outcome::Cancelled => Self::Cancelled,
        }
    }
}

impl From<FindingId> for Exit {
    /// The code for a finding that ends a command. Where an operation had begun, its outcome counts instead.
    fn from(finding: FindingId) -> Self {
        use FindingId as F;
        match finding {
            F::PveUnreachable | F::PveTimeout | F::PveTls | F::PveProtocol => Self::Unreachable,
            F::PveAuth | F::PvePassword | F::PveSecondFactor | F::PveForbidden | F::TokenRootOnly => Self::NotPermitted,
            F::UsageBad
            | F::PveNotFound
            | F::PveTlsUnverified
            | F::ConfigBad
            | F::ConfigUnknownKey
            | F::ConfigOldKey
            | F::ConfigSecretReadable
            | F::ModeUnknown
            | F::OpUnknown
            | F::HostUnreadable
            | F::DeviceUnknown
            | F::MappingUnknown
            | F::JournalBroken => Self::Usage,
            F::OpCancelled => Self::Cancelled,
            F::PveOutcomeUnknown | F::GuestStartFailed | F::GuestNoAddress | F::GuestDied | F::OpInterrupted => {
                Self::NotRolledBack
            }
            _ => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_documented_ones_and_agree_with_the_outcomes() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 2, 3, 4, 5, 6, 7, 8, 130]);
        for outcome in
            [Outcome::Done, Outcome::Refused, Outcome::RolledBack, Outcome::NotRolledBack, Outcome::Cancelled]
        {
            assert_eq!(Exit::from(outcome).code(), outcome.exit_code());
        }
    }

    #[test]
    fn no_finding_that_ends_a_command_means_success() {
        assert!(FindingId::ALL.iter().all(|id| Exit::from(*id) != Exit::Done));
    }
}
