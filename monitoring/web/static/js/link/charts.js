// Loader of uPlot, if it is installed. Its file is not part of the source: see build.sh.

let loading = null;

/** The uPlot class, or null if its file is missing. */
export function charts() {
  loading ??= load();
  return loading;
}

async function load() {
  const style = document.createElement('link');
  style.rel = 'stylesheet';
  style.href = 'static/vendor/uPlot.min.css';
  const script = document.createElement('script');
  script.src = 'static/vendor/uPlot.iife.min.js';
  const loaded = await new Promise((resolve) => {
    script.addEventListener('load', () => resolve(true));
    script.addEventListener('error', () => resolve(false));
    document.head.append(script);
  });
  if (!loaded) return null;
  document.head.append(style);
  return window.uPlot ?? null;
}
