import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { I18nProvider } from 'react-aria-components';
import { createRoot } from 'react-dom/client';
import { ProblemError } from './api/problem.ts';
import { Texts } from './i18n/provider.tsx';
import { followOtherTabs, show, usePrefs } from './prefs.ts';
import { router } from './router.tsx';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/shell.css';
import './styles/screens.css';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (count, error) => count < 2 && error instanceof ProblemError && error.mayPass,
      retryDelay: (count) => 500 * 2 ** count,
      staleTime: 1_000,
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
});

function Console() {
  const { locale } = usePrefs();
  return (
    <I18nProvider locale={locale}>
      <Texts>
        <RouterProvider router={router} />
      </Texts>
    </I18nProvider>
  );
}

show();
followOtherTabs();
const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Console />
      </QueryClientProvider>
    </StrictMode>,
  );
}
