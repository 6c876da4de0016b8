// Light, dark, or as the system says. What was chosen stays in this browser.

const KEY = 'metaseal.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const kept = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};

export const theme = $state({ choice: kept() ?? 'system', dark: false });

function apply() {
  theme.dark = theme.choice === 'dark' || (theme.choice === 'system' && dark.matches);
  document.documentElement.dataset.theme = theme.dark ? 'dark' : 'light';
}

export function begin() {
  apply();
  dark.addEventListener('change', apply);
}

/** @param {'system' | 'light' | 'dark'} choice */
export function choose(choice) {
  theme.choice = choice;
  try {
    if (choice === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // A browser that keeps nothing still shows the choice until it is closed.
  }
  apply();
}
