//! The functions of the system, by the role names of the command line.

closed_enum! {
    /// A function, and so the role under which a process runs it.
    Function {
        /// The administration API.
        Admin = "admin",
        /// Identity management server (TS 33.434 Annex A).
        Sim = "sim",
        /// CAPIF core function (TS 23.222, TS 29.222).
        Ccf = "ccf",
        /// Spatial anchors server (TS 23.437 8).
        San = "san",
        /// Spatial map server (TS 23.437 9).
        Sm = "sm",
        /// Location management server as a facade of the two spatial servers (TR 33.721, solution #Y).
        Lm = "lm",
        /// Unified data management, as far as user consent needs it (TS 29.503).
        Udm = "udm",
        /// The pages for operators.
        Console = "console",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_reads_back() {
        for function in Function::ALL {
            assert_eq!(function.as_str().parse(), Ok(*function));
        }
        assert!("nobody".parse::<Function>().is_err());
    }
}
