import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import vue from 'eslint-plugin-vue'
import globals from 'globals'
import tseslint from 'typescript-eslint'

// The rule of the house: imports point one way, model ← transport ← sync ← store ← the rest.
const layer = (files, forbidden) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { group: forbidden, message: 'Imports point one way; see docs/architecture.md.' },
        ],
      },
    ],
  },
})

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'tests/browser/output/', '.stryker-tmp/'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  vue.configs['flat/recommended'],
  {
    languageOptions: {
      globals: { ...globals.browser, ...globals.node },
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js', '.size-limit.js'] },
        parser: tseslint.parser,
        extraFileExtensions: ['.vue'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      'no-console': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  layer(
    ['src/model/**'],
    [
      ...['vue', 'pinia', '@supabase/*', '../transport/*', '../sync/*', '../engine/*', '../store*'],
      ...['../composables/*', '../testing/*'],
    ],
  ),
  layer(
    ['src/transport/**'],
    ['vue', 'pinia', '../sync/*', '../engine/*', '../store*', '../composables/*', '../testing/*'],
  ),
  layer(
    ['src/sync/**'],
    ['vue', 'pinia', '@supabase/*', '../engine/*', '../store*', '../composables/*', '../testing/*'],
  ),
  layer(['src/*.ts', 'src/composables/**'], ['./testing/*', '../testing/*']),
  layer(['src/engine/**'], ['../store*', '../composables/*', '../testing/*']),
  { files: ['scripts/**', 'playground/backend/**', 'tests/**'], rules: { 'no-console': 'off' } },
  {
    // pgflow takes only what is seen to be JSON, and TypeScript does not see that of an interface.
    files: ['playground/flows/**'],
    rules: { '@typescript-eslint/consistent-type-definitions': ['error', 'type'] },
  },
  { files: ['tests/**'], rules: { 'vue/one-component-per-file': 'off' } },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
  prettier,
)
