// Runs before the first paint, and is not a module, for modules run too late. It applies the chosen theme, and loads the
// page again if that could not be loaded.
{
  const theme = localStorage.getItem('hubbub.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.setAttribute('data-theme', theme);
}
{
  const AGAIN_MS = 2000;
  const SLOW_MS = 30_000;
  const MOST = 5;
  const KEY = 'hubbub.reloads';
  const reloads = Number(sessionStorage.getItem(KEY) ?? 0);
  let trying = false;

  /** Load the page again once the hub answers. A browser asks no second time for a module that failed to load. */
  const again = async () => {
    if ('started' in document.documentElement.dataset) return;
    try {
      const found = await fetch('static/js/main.js', { cache: 'no-store', signal: AbortSignal.timeout(AGAIN_MS * 5) });
      if (found.ok) {
        sessionStorage.setItem(KEY, String(reloads + 1));
        location.reload();
        return;
      }
    } catch {
      // It does not answer yet.
    }
    setTimeout(again, AGAIN_MS);
  };

  const begin = () => {
    if (trying || reloads >= MOST) return;
    trying = true;
    again();
  };

  addEventListener('error', ({ target }) => target instanceof HTMLScriptElement && setTimeout(begin, AGAIN_MS), true);
  // A connection that stands still fails nothing. Over a slow line each attempt has more time than the last one.
  setTimeout(begin, SLOW_MS * 2 ** reloads);
}
