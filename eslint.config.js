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

/** The folders that stand above one, as imports name them. */
const above = (...folders) =>
  [...folders, 'testing', 'components', 'devtools', 'cli/', 'plugin.ts'].flatMap((folder) => [
    `../${folder}*`,
    `./${folder}*`,
  ])

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'coverage/',
      'node_modules/',
      'tests/browser/output/',
      '.stryker-tmp/',
      'tests/apps/nuxt/',
      'tests/apps/vue/',
      'docs/.vitepress/dist/',
      'docs/.vitepress/cache/',
    ],
  },
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
    ['vue', 'pinia', '@supabase/*', ...above('transport', 'sync', 'store', 'composables')],
  ),
  layer(['src/transport/**'], ['vue', 'pinia', ...above('sync', 'store', 'composables')]),
  layer(['src/sync/**'], ['vue', 'pinia', '@supabase/*', ...above('store', 'composables')]),
  layer(['src/store/**'], above('composables')),
  layer(['src/composables/**'], above()),
  // What every folder may import: these know nothing of them but the model.
  layer(
    [
      'src/{errors,warnings,error-codes,error-hints,flow-types,flow-schemas,run-query,ssr-payload}.ts',
    ],
    ['./transport/*', './sync/*', './store/*', './composables/*', ...above()],
  ),
  layer(['src/options.ts'], ['./composables/*', './store/*', ...above()]),
  // An entry each, which nothing else of the package imports; of devtools the plugin has only what is
  // imported on demand.
  layer(['src/{plugin,index}.ts'], ['./testing/*', './components/*', './devtools/*', './cli/*']),
  layer(['src/components/**'], ['../testing/*', '../devtools/*', '../plugin.ts', '../index.ts']),
  layer(['src/testing/**'], ['../components/*', '../devtools*', './devtools*']),
  layer(
    ['src/{devtools-tap,trace-log}.ts'],
    ['./composables/*', './store/*', './testing/*', './devtools/*', './components/*'],
  ),
  // The command sees a project from the outside: it shares nothing with what apps bundle.
  layer(['src/cli/**'], ['vue', 'pinia', '../{model,transport,sync,store,composables}/*']),
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
