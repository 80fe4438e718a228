// Applies the chosen theme before the first paint. The only script that is not a module: modules come too late for it.
{
  const theme = localStorage.getItem('hubbub.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.setAttribute('data-theme', theme);
}
