// Nothing is loaded from elsewhere: fonts are those of the system.
export { default } from 'vitepress/theme-without-fonts'
