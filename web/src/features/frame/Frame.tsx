// What stands around every page: skip link, brand, language; below, the theme.
import { Globe } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { chooseLang, languages, useLang, useT, type Lang } from '@/i18n'
import { chooseTheme, keptTheme, type Theme } from '@/ui'
import './frame.css'

interface Props {
  /** Under the name: which part of the product this is. */
  subtitle: string
  /** Beside the language: the page's own links or buttons. */
  actions?: ReactNode
  children: ReactNode
}

export function Frame({ subtitle, actions, children }: Props) {
  const t = useT()
  return (
    <>
      <a className="skip" href="#main" onClick={skip}>{t('frame.skip')}</a>
      <header className="top">
        <div className="brand">
          <Logo />
          <div>
            <b>Aparté</b>
            <span>{subtitle}</span>
          </div>
        </div>
        {actions}
        <LanguageChoice />
      </header>
      {children}
      <footer className="foot">
        <span>{t('frame.own')}</span>
        <ThemeChoice />
      </footer>
    </>
  )
}

function skip(event: { preventDefault(): void }): void {
  // The fragment must stay free: after # stand secrets.
  event.preventDefault()
  const main = document.getElementById('main')
  main?.setAttribute('tabindex', '-1')
  main?.focus()
}

function LanguageChoice() {
  const t = useT()
  const lang = useLang()
  return (
    <label className="choice">
      <Globe aria-hidden="true" />
      <span className="vh">{t('frame.language')}</span>
      <select value={lang} onChange={(event) => void chooseLang(event.target.value as Lang)}>
        {Object.entries(languages).map(([code, name]) => (
          <option key={code} value={code} lang={code}>{name}</option>
        ))}
      </select>
    </label>
  )
}

function ThemeChoice() {
  const t = useT()
  const [theme, setTheme] = useState<Theme>(keptTheme)
  return (
    <label className="choice">
      <span>{t('frame.theme')}</span>
      <select
        value={theme}
        onChange={(event) => {
          const chosen = event.target.value as Theme
          chooseTheme(chosen)
          setTheme(chosen)
        }}
      >
        <option value="auto">{t('frame.theme.auto')}</option>
        <option value="light">{t('frame.theme.light')}</option>
        <option value="dark">{t('frame.theme.dark')}</option>
      </select>
    </label>
  )
}

function Logo() {
  return (
    <svg className="logo" viewBox="0 0 36 36" fill="none" aria-hidden="true">
      <rect x="2" y="2" width="32" height="32" rx="8" fill="currentColor" opacity=".14" />
      <path d="M9 25V12.5A3.5 3.5 0 0 1 12.5 9H20" stroke="currentColor" strokeWidth="3" strokeLinecap="round" />
      <path d="M27 11v12.5a3.5 3.5 0 0 1-3.5 3.5H16" stroke="currentColor" strokeWidth="3" strokeLinecap="round" />
      <circle cx="18" cy="18" r="3" fill="currentColor" />
    </svg>
  )
}
