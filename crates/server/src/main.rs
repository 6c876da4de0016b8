//! The `metaseal` program.

/// A request makes some hundred small texts and lists: the allocator of the C library takes a fifth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    server::cli::main()
}
