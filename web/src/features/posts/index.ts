export { Posts } from './Posts'
