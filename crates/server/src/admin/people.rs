//! Records name people by pseudonyms; an operator asks by a name that people know.

use api_types::Function;
use service_http::call::acting;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;

use super::Admin;

/// Under which names the records of `kit` may know `name`: as it is (a client, a pseudonym), and as the pseudonym of
/// each name of that person.
pub(super) async fn in_records(admin: &Admin, kit: &FunctionKit, name: &str) -> Result<Vec<String>, Refusal> {
    let names = match &admin.sim {
        Some(sim) => sim.names_of(name).await?,
        None => vec![name.to_owned()],
    };
    let mut all = vec![name.to_owned()];
    let pseudonyms: Vec<String> = names.iter().map(|name| kit.pseudonym(name)).collect();
    // What an operator did by way of the console stands under both names (`Actor::operator`).
    let by_console = pseudonyms.iter().map(|name| format!("{name}{}", acting(Function::Console.as_str())));
    all.extend(by_console);
    all.extend(pseudonyms);
    all.sort();
    all.dedup();
    Ok(all)
}
