# What a new machine may lack. Sourced by ./metaseal and ./test; each says what it installs and why.

say() { printf '%s\n' "$*" >&2; }

need_toolchain() {
  command -v cargo >/dev/null 2>&1 || { say "A Rust toolchain (1.95 or later) is needed: https://rustup.rs"; exit 3; }
  command -v cc >/dev/null 2>&1 || need_debian "build-essential" "cc" "to compile SQLite and the crypto library"
}

# need_debian PACKAGES PROGRAM WHY: installs Debian packages unless PROGRAM is there.
need_debian() {
  local packages=$1 program=$2 why=$3
  if [ -e "$program" ] || command -v "$program" >/dev/null 2>&1; then return 0; fi
  if ! command -v apt-get >/dev/null 2>&1; then
    say "Please install $packages ($why)."
    exit 3
  fi
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { say "Please install $packages as root ($why)."; exit 3; }
    root=(sudo)
  fi
  say "Installing $packages ($why)"
  # shellcheck disable=SC2086 # a list of packages
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null 2>&1 ||
    { "${root[@]}" apt-get update -qq >/dev/null &&
      "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null; } ||
    { say "Could not install $packages; please install it by hand ($why)."; exit 3; }
}

# PostgreSQL is started by the tests themselves, on a free port and in a temporary directory.
need_postgresql() {
  if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null &&
     compgen -G '/usr/share/postgresql/*/extension/postgis.control' >/dev/null; then return 0; fi
  need_debian "postgresql postgresql-postgis" /nonexistent "the second storage backend; the tests start it on a free loopback port"
}

need_nextest() {
  cargo nextest --version >/dev/null 2>&1 && return 0
  say "Installing cargo-nextest (runs the tests)"
  cargo install --locked --quiet cargo-nextest
}

# need_console ROOT: builds the pages of the console, which the program embeds, unless nothing has changed since.
# METASEAL_CONSOLE=skip leaves them out; the program then shows a page that says so.
need_console() {
  local folder=$1/console sources
  [ "${METASEAL_CONSOLE:-}" != skip ] || return 0
  sources=$(cd "$folder" && find . \( -name node_modules -o -name dist \) -prune -o -type f -print | LC_ALL=C sort |
    while IFS= read -r file; do printf '%s ' "$file"; sha256sum <"$file"; done | sha256sum | cut -d ' ' -f 1)
  if [ -s "$folder/dist/index.html" ] && [ "$(cat "$folder/node_modules/.built" 2>/dev/null)" = "$sources" ]; then return 0; fi
  need_debian "nodejs npm" npm "to build the pages of the console"
  if ! cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed"; then
    say "Installing Svelte, Vite, MapLibre and three (what the pages of the console are built from)"
    (cd "$folder" && npm ci --silent --no-audit --no-fund >/dev/null)
    cp "$folder/package-lock.json" "$folder/node_modules/.installed"
  fi
  say "Building the pages of the console"
  (cd "$folder" && npm run --silent build >/dev/null)
  printf '%s\n' "$sources" >"$folder/node_modules/.built"
}
