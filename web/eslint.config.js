import js from '@eslint/js'
import a11y from 'eslint-plugin-jsx-a11y'
import hooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

// Who may import whom (STYLE.md, Web). A feature is entered through its index.ts; call/ and api/ know no UI framework.
const insides = { group: ['@/features/*/*'], message: 'A feature is imported through its index.ts.' }
const noFeatures = { group: ['@/features', '@/features/*'], message: 'ui/, call/, api/ and i18n/ know no feature.' }
const noReact = { group: ['react', 'react-dom', 'react-dom/*', 'react-aria-components', 'lucide-react'], message: 'call/ and api/ are free of any UI framework.' }
const noCallFromAPI = { group: ['@/call', '@/call/*', '@/ui', '@/ui/*', '@/i18n', '@/i18n/*'], message: 'api/ stands below everything else.' }
const noUIFromCall = { group: ['@/ui', '@/ui/*', '@/i18n', '@/i18n/*'], message: 'call/ has no words and no widgets.' }
const noWords = { group: ['@/i18n', '@/i18n/*', '@/call', '@/call/*'], message: 'ui/ has no words and fetches nothing.' }
const restricted = (...patterns) => ({ '@typescript-eslint/no-restricted-imports': ['error', { patterns }] })

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'e2e/**', 'src/api/schema.d.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked, a11y.flatConfigs.strict, hooks.configs.flat['recommended-latest'] ?? hooks.configs.flat.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      ...restricted(insides),
    },
  },
  { files: ['src/api/**/*.ts'], rules: restricted(insides, noFeatures, noReact, noCallFromAPI) },
  { files: ['src/call/**/*.ts'], rules: restricted(insides, noFeatures, noReact, noUIFromCall) },
  { files: ['src/ui/**/*.{ts,tsx}'], rules: restricted(insides, noFeatures, noWords) },
  { files: ['src/i18n/**/*.ts'], rules: restricted(insides, noFeatures) },
  { files: ['scripts/**/*.mjs'], languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } } },
)
