//! The functions that can be run, and their listeners.

use api_types::function::Function;

/// A function that `--roles` can name. `admin` runs with any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Identity management server.
    Sim,
    /// CAPIF core function.
    Ccf,
    /// Spatial anchors server.
    San,
    /// Spatial map server.
    Sm,
    /// Facade of the two; runs only where it is named.
    Lm,
    /// Unified data management: what subscribers consent to.
    Udm,
    /// Pages for operators.
    Console,
}

impl Role {
    /// Every role that is built.
    pub const ALL: [Self; 7] =
        [Self::Sim, Self::Ccf, Self::San, Self::Sm, Self::Lm, Self::Udm, Self::Console];

    /// The roles that run when none is named.
    pub const UNNAMED: [Self; 6] = [Self::Sim, Self::Ccf, Self::San, Self::Sm, Self::Udm, Self::Console];

    /// Reads a role's name.
    ///
    /// # Errors
    /// The known names, when it is none of them.
    pub fn parse(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|role| role.function().as_str() == name);
        known.ok_or_else(|| Self::ALL.map(|role| role.function().as_str()).join(", "))
    }

    /// The function that it is.
    #[must_use]
    pub fn function(self) -> Function {
        match self {
            Self::Sim => Function::Sim,
            Self::Ccf => Function::Ccf,
            Self::San => Function::San,
            Self::Sm => Function::Sm,
            Self::Lm => Function::Lm,
            Self::Udm => Function::Udm,
            Self::Console => Function::Console,
        }
    }
}

/// A listener with its name in the ready file and its distance from the first port (contract section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// Name in the ready file.
    pub name: &'static str,
    /// Distance from the first port.
    pub offset: u16,
    /// The function whose listener it is; `admin` runs always.
    pub role: Option<Role>,
}

/// Every listener that is built.
pub const LISTENERS: [Listener; 10] = [
    Listener { name: "admin", offset: 2, role: None },
    Listener { name: "console", offset: 3, role: Some(Role::Console) },
    Listener { name: "sim", offset: 4, role: Some(Role::Sim) },
    Listener { name: "sim_mtls", offset: 25, role: Some(Role::Sim) },
    Listener { name: "ccf", offset: 5, role: Some(Role::Ccf) },
    Listener { name: "ccf_compat", offset: 24, role: Some(Role::Ccf) },
    Listener { name: "san", offset: 6, role: Some(Role::San) },
    Listener { name: "sm", offset: 7, role: Some(Role::Sm) },
    Listener { name: "udm", offset: 10, role: Some(Role::Udm) },
    Listener { name: "lm", offset: 19, role: Some(Role::Lm) },
];
