// Applies the chosen theme before the first paint. It is not a module, for modules run too late.
{
  const theme = localStorage.getItem('hubbub.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.setAttribute('data-theme', theme);
}
