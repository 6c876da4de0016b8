//! CAPIF core function: who may invoke, publish and expose an API, and with what (TS 29.222, TS 33.122).

pub mod ccf;
