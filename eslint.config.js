// Only what the compiler cannot see. How code looks is Prettier's business, and style is a matter for reviewers.
import tseslint from 'typescript-eslint'

/** Libraries that one folder wraps, with the reason in style rules: their defaults or types must not spread. */
const WRAPPED = [
  { name: 'pkijs', message: 'pkijs and its types stay inside src/x509.' },
  { name: 'asn1js', message: 'asn1js and its types stay inside src/x509.' },
  { name: 'better-sqlite3', message: 'SQLite is reached through LogStore, from src/store/sqlite.' },
  { name: 'openpgp', message: 'openpgp and its settings stay inside src/keys/pgp.' }
]

const except = (...names) => [
  'error',
  { paths: WRAPPED.filter(({ name }) => !names.includes(name)) }
]

export default tseslint.config(
  {
    ignores: ['dist/', '.tap/', '.compiled/', '.clients/', 'data/', 'coverage/', 'bench/results/']
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{ts,js,mjs}'],
    rules: {
      eqeqeq: 'error',
      'no-constant-binary-expression': 'error',
      'no-self-assign': 'error',
      'no-template-curly-in-string': 'error',
      'no-unsafe-finally': 'error'
    }
  },
  {
    files: ['**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }
    },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      // A promise nobody waits for is a failure nobody hears of. tap keeps its own account of subtests.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafePromises: [
            { from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }
          ]
        }
      ],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unsafe-assignment': 'error',
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/restrict-plus-operands': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true }
      ]
    }
  },
  { files: ['src/**/*.ts'], rules: { 'no-restricted-imports': except() } },
  {
    files: ['src/x509/**/*.ts'],
    rules: { 'no-restricted-imports': except('pkijs', 'asn1js') }
  },
  {
    files: ['src/store/sqlite/**/*.ts'],
    rules: { 'no-restricted-imports': except('better-sqlite3') }
  },
  { files: ['src/keys/pgp/**/*.ts'], rules: { 'no-restricted-imports': except('openpgp') } }
)
