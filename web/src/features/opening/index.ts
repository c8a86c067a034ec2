export { OpenPage } from './OpenPage'
